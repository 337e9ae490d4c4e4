"""What numbers are sold for: the provider's offers, and our own rules."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from numbers.models import choices_of
from telephony.values import NumberType
from wallet.models import money_field


class CountryOffer(models.Model):
    """A type of number the provider sells in a country, and what it asks per month."""

    country = models.CharField(max_length=2)
    number_type = models.CharField("type", max_length=10, choices=choices_of(NumberType))
    provider_price = money_field(null=True)
    currency = models.CharField(max_length=3, default="USD")
    refreshed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["country", "number_type"], name="country_offer_once"),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.get_number_type_display()}"


class PriceRule(models.Model):
    """What we ask for numbers of a country or type, where it is not the standard markup.

    The rule that names most wins: country and type, then country, then type, then neither.
    """

    country = models.CharField(
        max_length=2, blank=True, help_text="Two letters, for example US. Empty: every country."
    )
    number_type = models.CharField(
        "type", max_length=10, blank=True, choices=choices_of(NumberType)
    )
    markup = models.DecimalField(
        max_digits=6, decimal_places=3, null=True, blank=True,
        help_text="The provider's price times this, rounded up to the cent.",
    )  # fmt: skip
    fixed_price = money_field(null=True, blank=True, help_text="Per month, whatever it costs us.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["country", "number_type"], name="price_rule_once"),
            models.CheckConstraint(
                condition=Q(markup__isnull=False, fixed_price__isnull=True, markup__gt=0)
                | Q(markup__isnull=True, fixed_price__isnull=False, fixed_price__gt=0),
                name="price_rule_markup_or_fixed_price",
                violation_error_message="Give either a markup or a fixed price, above zero.",
            ),
        ]

    def __str__(self) -> str:
        where = f"{self.country or 'every country'}, {self.number_type or 'every type'}"
        return f"{where}: {f'x {self.markup}' if self.markup else self.fixed_price}"

    def apply_to(self, provider_price: Decimal) -> Decimal:
        """Our price per month, before rounding."""
        return self.fixed_price if self.markup is None else provider_price * self.markup
