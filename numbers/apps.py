from django.apps import AppConfig


class NumbersConfig(AppConfig):
    name = "numbers"

    def ready(self) -> None:
        from numbers import checks  # noqa: F401  registers the system checks
