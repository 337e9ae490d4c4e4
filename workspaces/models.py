"""People, workspaces, and who may do what in which."""

import secrets
from typing import ClassVar, Self
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import Cast, Concat, Lower
from django.utils import timezone

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


def new_public_id() -> str:
    """An id for addresses that means nothing to an outsider and cannot be guessed."""
    return secrets.token_urlsafe(9)


class Workspace(models.Model):
    """A client, brand or department, kept strictly apart from the others."""

    class Colour(models.TextChoices):
        TEAL = "teal"
        BLUE = "blue"
        VIOLET = "violet"
        ROSE = "rose"
        AMBER = "amber"
        GREEN = "green"
        SLATE = "slate"

    slug = models.SlugField(unique=True, max_length=40)
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[check_time_zone])
    colour = models.CharField(
        "logo colour", max_length=8, choices=Colour, default=Colour.TEAL, db_default=Colour.TEAL
    )
    created_at = models.DateTimeField(auto_now_add=True)
    # Nothing in it can be changed any more; its owners can open it again.
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def initial(self) -> str:
        """The letter of its logo."""
        return self.name[:1].upper()


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
        has = Q(role__in=roles_with(permission)) | Q(granted__contains=[permission])
        return (
            self.filter(has, user__is_active=True)
            .exclude(withdrawn__contains=[permission])
            .order_by(owners_first, "pk")
        )


class Membership(WorkspaceOwned):
    """A person's place in a workspace: a role, and what they have beyond it or without it.

    Triggers keep at least one owner whose login is on in every workspace.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role)
    granted = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    withdrawn = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    objects: ClassVar[models.Manager] = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "user"], name="membership_once_per_workspace"
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
            # An owner has everything, always: somebody must be able to put things right.
            models.CheckConstraint(
                condition=~Q(role=Role.OWNER) | Q(granted=[], withdrawn=[]),
                name="membership_owner_has_everything",
            ),
        ]
        permissions = [("act_as_member", "Can look at a workspace as a member sees it")]

    # Set where support looks through a member's eyes: what of it they may (acting.py).
    limited_to: frozenset[str] | None = None

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display().lower()} of {self.workspace}"

    def permissions(self) -> frozenset[str]:
        if self.limited_to is not None:
            return self.limited_to
        return (OF_ROLE[self.role] | set(self.granted)) - set(self.withdrawn)

    def can(self, permission: str) -> bool:
        return permission in self.permissions()


class InvitationQuerySet(WorkspaceQuerySet):
    def open(self) -> Self:
        """Neither accepted nor withdrawn; it may have expired."""
        return self.filter(accepted_at=None, withdrawn_at=None)


class Invitation(WorkspaceOwned):
    """A place in a workspace, offered to whoever reads the mail at an address.

    The link's token is made from ``nonce`` and the secret key; the row knows only its hash.
    So whoever reads the table cannot join, and the mail can be sent again.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    nonce = models.CharField(max_length=32)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # The mail is a step of its own, taken by a sweep until it succeeds.
    mail_tried_at = models.DateTimeField(null=True)
    mail_tries = models.PositiveSmallIntegerField(default=0)
    mailed_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    accepted_by = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True)
    objects: ClassVar[models.Manager] = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "workspace",
                Lower("email"),
                condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="invitation_open_once_per_address",
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="invitation_role_known"),
            models.CheckConstraint(
                condition=Q(accepted_at__isnull=True, accepted_by__isnull=True)
                | Q(
                    accepted_at__isnull=False, accepted_by__isnull=False, withdrawn_at__isnull=True
                ),
                name="invitation_accepted_by_someone_or_withdrawn",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=Q(mailed_at=None, accepted_at=None, withdrawn_at=None),
                name="invitation_unsent",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.email}, {self.get_role_display().lower()} of {self.workspace}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()


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
                condition=(Q(permission="") & Q(recipient__isnull=False))
                | (~Q(permission="") & Q(recipient__isnull=True)),
                name="notice_has_one_address",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(sent_at__isnull=True), name="notice_unsent"),
        ]

    def __str__(self) -> str:
        return self.subject
