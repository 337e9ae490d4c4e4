"""People, workspaces, and who may do what in which."""

from typing import ClassVar, Self
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Value
from django.db.models.functions import Cast, Concat, Lower

from workspaces.permissions import OF_ROLE, Role, roles_with


class UserManager(BaseUserManager["User"]):
    """Makes users known by their mail address."""

    use_in_migrations = True

    def create_user(self, email: str, password: str | None = None, **fields: object) -> "User":
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **fields: object) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractUser):
    """A person, known by mail address. ``is_staff`` marks the platform's support staff."""

    username = None  # type: ignore[assignment]
    email = models.EmailField("mail address", max_length=254)
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = UserManager()  # type: ignore[assignment,misc]

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.email


def check_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(
            f"{name} is not a time zone. Write one as Area/City, for example Europe/Berlin."
        )


class Workspace(models.Model):
    """A client, brand or department, kept strictly apart from the others."""

    slug = models.SlugField(unique=True, max_length=40)
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class WorkspaceQuerySet(models.QuerySet):
    def for_workspace(self, workspace: Workspace) -> Self:
        return self.filter(workspace=workspace)


class WorkspaceOwned(models.Model):
    """A row of one workspace. Fetch it through ``objects.for_workspace(workspace)``."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, db_index=False)
    objects: ClassVar[models.Manager] = WorkspaceQuerySet.as_manager()

    class Meta:
        abstract = True


class MembershipQuerySet(WorkspaceQuerySet):
    def who_can(self, permission: str) -> Self:
        """Members that have the permission, owners first."""
        owners_first = models.Case(models.When(role=Role.OWNER, then=0), default=1)
        return self.filter(role__in=roles_with(permission), user__is_active=True).order_by(
            owners_first, "pk"
        )


class Membership(WorkspaceOwned):
    """A person's place in a workspace."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    created_at = models.DateTimeField(auto_now_add=True)
    objects: ClassVar[models.Manager] = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user"], name="membership_once_per_workspace"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display().lower()} of {self.workspace}"

    def can(self, permission: str) -> bool:
        return permission in OF_ROLE[self.role]


class AuditQuerySet(WorkspaceQuerySet):
    def for_workspace(self, workspace: Workspace) -> Self:
        # A plain number is an int4 to PostgreSQL, which the GIN index cannot look up.
        return self.filter(workspace_id=Cast(Value(workspace.pk), models.BigIntegerField()))

    def of_subject(self, kind: str, public_id: str) -> Self:
        return self.filter(subject_kind=kind, subject_id=public_id)


class AuditEvent(WorkspaceOwned):
    """One line of the audit trail. Triggers forbid changing or deleting it."""

    at = models.DateTimeField()
    by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, db_index=False)
    by_name = models.CharField(max_length=160, help_text="As the person was called then.")
    origin = models.CharField(max_length=60, blank=True, help_text="The browser's IP address.")
    action = models.CharField(max_length=60)
    subject_kind = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=40, blank=True)
    label = models.CharField(max_length=160, blank=True)
    text = models.CharField(max_length=400)
    details = models.JSONField(default=dict)
    # What a search looks through.
    words = models.GeneratedField(
        expression=Lower(Concat("by_name", Value(" "), "label", Value(" "), "text",
                                output_field=models.TextField())),
        output_field=models.TextField(),
        db_persist=True,
    )  # fmt: skip
    objects: ClassVar[models.Manager] = AuditQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "-id"], name="audit_newest_first"),
            models.Index(
                fields=["workspace", "subject_kind", "subject_id", "-id"], name="audit_of_subject"
            ),
            GinIndex("workspace", OpClass("words", "gin_trgm_ops"), name="audit_words"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.by_name}: {self.text}"

    @property
    def changes_in_words(self) -> str:
        """``notes: nothing → new``, for the details that tell before and after."""
        return "; ".join(
            f"{name.replace('_', ' ')}: {_told(value[0])} → {_told(value[1])}"
            for name, value in self.details.items()
            if isinstance(value, list) and len(value) == 2
        )


def _told(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "nothing"
    return str(value) if value not in ("", None) else "nothing"


class Notice(WorkspaceOwned):
    """A mail that is to be sent, or was: to a person, or to all who hold a permission."""

    key = models.CharField(max_length=200)
    permission = models.CharField(max_length=40, blank=True)
    recipient = models.ForeignKey(User, null=True, on_delete=models.CASCADE, db_index=False)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="notice_key_once"),
            models.CheckConstraint(
                condition=(models.Q(permission="") & models.Q(recipient__isnull=False))
                | (~models.Q(permission="") & models.Q(recipient__isnull=True)),
                name="notice_has_one_address",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"], condition=models.Q(sent_at__isnull=True), name="notice_unsent"
            ),
        ]

    def __str__(self) -> str:
        return self.subject
