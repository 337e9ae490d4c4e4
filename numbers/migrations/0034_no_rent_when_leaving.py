"""A number that is released at the end of the paid month owes no other month.

``release_at`` is the end of what is paid. Rent is collected every hour and the release begins
within a minute: whoever comes first, that month is not charged. Taken back, rent goes on.
"""

from django.db import migrations

LEAVING = "coalesce(NEW.parked_at, NEW.vanished_at, NEW.giving_back_at, NEW.released_at{more})"
OTHERS = ("parked_at", "vanished_at", "giving_back_at", "released_at")
FOLLOWS = """
CREATE OR REPLACE FUNCTION numbers_rent_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE numbers_rentdue SET
        billed = {leaving} IS NULL,
        price = NEW.monthly_price
    WHERE number_id = NEW.id AND (billed, price) IS DISTINCT FROM (
        {leaving} IS NULL, NEW.monthly_price
    );
    RETURN NULL;
END $$;
DROP TRIGGER number_leads_rent ON numbers_number;
CREATE TRIGGER number_leads_rent AFTER UPDATE ON numbers_number
    FOR EACH ROW WHEN (OLD.monthly_price <> NEW.monthly_price {changed})
    EXECUTE FUNCTION numbers_rent_follows();
"""


def follows(*more: str) -> str:
    columns = (*OTHERS, *more)
    return FOLLOWS.format(
        leaving=LEAVING.format(more="".join(f", NEW.{name}" for name in more)),
        changed=" ".join(f"OR (OLD.{n} IS NULL) <> (NEW.{n} IS NULL)" for n in columns),
    )


class Migration(migrations.Migration):
    dependencies = [("numbers", "0033_tags_and_preferences")]

    operations = [migrations.RunSQL(follows("release_at"), follows())]
