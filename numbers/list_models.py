"""What people add to their numbers: tags, which columns they see, what they did to several."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from workspaces.models import User, WorkspaceOwned

# A tag is written between commas, and stands in addresses.
TAG_NAME = RegexValidator(r"^[^\x00-\x1f,]+$", "A tag is plain text without commas.")


class Tag(WorkspaceOwned):
    """A word that a workspace puts on its numbers. ``VIP`` and ``vip`` are one tag."""

    name = models.CharField(max_length=40, validators=[TAG_NAME])

    class Meta:
        constraints = [
            models.UniqueConstraint("workspace", Lower("name"), name="tag_name_once"),
            # What a tagging refers to, so that a tag never hangs on another workspace's number.
            models.UniqueConstraint(fields=["workspace", "id"], name="tag_of_workspace"),
        ]

    def __str__(self) -> str:
        return self.name


class Tagging(WorkspaceOwned):
    """A tag on a number.

    ``bought_at`` is the number's ``created_at``. With it here, the newest numbers of a tag are
    a walk along one index, whether three or fifty thousand have the tag and wherever in the
    list they lie; an array on the number would have to be searched and sorted. The database
    holds the copy true and the workspace the same, through foreign keys over all of them.
    """

    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, db_index=False, db_constraint=False)
    number = models.ForeignKey(
        "numbers.Number", on_delete=models.CASCADE, db_index=False, db_constraint=False,
        related_name="taggings",
    )  # fmt: skip
    bought_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number", "tag"], name="tagging_once"),
        ]
        indexes = [
            models.Index(fields=["tag", "bought_at", "number"], name="tagging_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.tag_id} on {self.number_id}"


class PaymentPlace(WorkspaceOwned):
    """Where an owned number stands in the order of the next payments.

    A copy of the rent row's ``due_at`` that follows it (``payment_places.py``). The database
    makes it with its number and takes it away when that is given back.
    """

    number = models.OneToOneField(
        "numbers.Number", primary_key=True, on_delete=models.CASCADE, related_name="payment_place"
    )
    due_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["workspace", "due_at", "number"], name="payment_place_order"),
            models.Index(fields=["due_at"], name="payment_place_passed"),
        ]

    def __str__(self) -> str:
        return f"{self.number_id}, due {self.due_at:%Y-%m-%d}"


class ListPreference(models.Model):
    """Which columns a person wants to see on the Numbers page, in every workspace."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True)
    columns = ArrayField(models.CharField(max_length=20))
    objects: ClassVar[models.Manager]

    def __str__(self) -> str:
        return f"Columns of {self.user_id}"


class BulkRun(WorkspaceOwned):
    """One thing done to several numbers, with what became of each.

    ``results`` holds, for each number, its public id, its number, and the reason if it was
    not done: the summary says who succeeded and why the others did not.
    """

    public_id = models.CharField(max_length=16, unique=True, editable=False)
    action = models.CharField(max_length=12)
    by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    at = models.DateTimeField()
    results = models.JSONField()

    def __str__(self) -> str:
        return f"{self.action} by {self.by_id} at {self.at:%Y-%m-%d %H:%M}"
