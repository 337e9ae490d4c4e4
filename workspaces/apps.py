from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "workspaces"

    def ready(self) -> None:
        from allauth.mfa.signals import authentication_failed

        from workspaces.login import second_factor_failed

        authentication_failed.connect(second_factor_failed, dispatch_uid="second_factor_failed")
