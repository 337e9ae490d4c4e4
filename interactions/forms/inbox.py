"""The search of the inbox, and a reply."""

from decimal import Decimal

from django import forms

from interactions.inbox import Wanted, read_before
from telephony.conversations import LARGEST_PICTURE

ONLY = [("", "All conversations"), ("unread", "Unread only")]


class InboxForm(forms.Form):
    """Read from the address; anything that cannot be read is left out."""

    q = forms.CharField(required=False, max_length=80)
    only = forms.ChoiceField(required=False, choices=ONLY)
    number = forms.SlugField(required=False, max_length=16)
    before = forms.CharField(required=False, max_length=60)

    def wanted(self) -> Wanted:
        self.is_valid()
        cleaned = self.cleaned_data
        return Wanted(
            text=cleaned.get("q", ""),
            unread=cleaned.get("only") == "unread",
            number=cleaned.get("number", ""),
            before=read_before(cleaned.get("before", "")),
        )


class ReplyForm(forms.Form):
    """``key`` is made when the form is shown: sending it twice sends one message."""

    body = forms.CharField(
        required=False, max_length=3000, strip=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    picture = forms.FileField(required=False)
    key = forms.UUIDField()
    # What the form showed; who sends it pays no more without being asked.
    text_price = forms.DecimalField(required=False, max_digits=18, decimal_places=6)
    picture_price = forms.DecimalField(required=False, max_digits=18, decimal_places=6)

    def price_shown(self) -> Decimal | None:
        cleaned = self.cleaned_data
        return cleaned["picture_price" if cleaned["picture"] else "text_price"]

    def clean_picture(self) -> bytes:
        file = self.cleaned_data["picture"]
        if file is None:
            return b""
        if file.size > LARGEST_PICTURE:
            raise forms.ValidationError("Choose a picture of at most 5 MB.")
        content: bytes = file.read()
        return content


class SeenForm(forms.Form):
    """Until when somebody has looked."""

    until = forms.DateTimeField()
