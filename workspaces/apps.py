from django.apps import AppConfig


class WorkspacesConfig(AppConfig):
    name = "workspaces"

    def ready(self) -> None:
        from allauth.account.signals import authentication_step_completed
        from allauth.mfa.signals import authentication_failed

        from workspaces.login import second_factor_failed
        from workspaces.sessions import renew_key

        authentication_failed.connect(second_factor_failed, dispatch_uid="second_factor_failed")
        authentication_step_completed.connect(renew_key, dispatch_uid="renew_key")
