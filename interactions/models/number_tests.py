"""A check of a number through the whole way."""

from django.db import models
from django.db.models import Q
from django.urls import reverse

from interactions.models.conversations import Call, Message
from interactions.models.routes import Medium
from numbers.models import Number, new_public_id
from workspaces.models import User, WorkspaceOwned


class NumberTest(WorkspaceOwned):
    """A test call or message to a number, and what was found before it was made.

    ``sender`` is another number of the workspace; empty when the person calls or texts from
    a phone of their own. ``key`` comes from the form: sent twice, it is one test.
    """

    public_id = models.CharField(max_length=16, unique=True, default=new_public_id, editable=False)
    key = models.UUIDField()
    number = models.ForeignKey(
        Number, on_delete=models.PROTECT, db_index=False, related_name="tests"
    )
    medium = models.CharField(max_length=7, choices=Medium)
    sender = models.ForeignKey(
        Number, null=True, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    started_by = models.ForeignKey(User, on_delete=models.PROTECT, db_index=False)
    started_at = models.DateTimeField()
    # What was sent, where it is ours.
    call = models.OneToOneField(Call, null=True, on_delete=models.PROTECT)
    message = models.OneToOneField(Message, null=True, on_delete=models.PROTECT)
    # What the provider said of the number before: empty when it did not answer.
    provider_has_it = models.BooleanField(null=True)
    points_here = models.BooleanField(null=True)
    points_to = models.CharField(max_length=500, blank=True)
    refusal_code = models.CharField(max_length=40, blank=True, default="", db_default="")
    refusal_sentence = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="number_test_key_once"),
            models.CheckConstraint(
                condition=Q(medium__in=Medium.values), name="number_test_medium_known"
            ),
        ]
        indexes = [
            models.Index(fields=["number", "-started_at"], name="number_test_newest"),
        ]

    def __str__(self) -> str:
        return f"Test of {self.number}"

    def get_absolute_url(self) -> str:
        return reverse(
            "interactions:test_result",
            args=[self.workspace.slug, self.number.public_id, self.public_id],
        )
