from django.db import migrations, models

KINDS = [
    ("missing", "Not at the carrier any more"),
    ("returned", "At the carrier again"),
    ("ordered", "Bought by an order that does not know it yet"),
    ("released", "Given back here, still at the carrier"),
    ("nobodys", "At the carrier, and nobody's here"),
    ("webhooks", "Calls or messages are sent somewhere else"),
    ("overridden", "Handled by an application or trunk at the carrier"),
    ("service", "Its messages are taken by a messaging service at the carrier"),
    ("name", "Another friendly name at the carrier"),
    ("capabilities", "It can do something else than we say"),
    ("not_in_use", "The carrier says it is not in use"),
    ("emergency", "Its emergency address has changed at the carrier"),
    ("bundle", "Its approved documents have changed at the carrier"),
    ("account", "The account at the carrier does not work"),
]


class Migration(migrations.Migration):
    dependencies = [("numbers", "0071_planned")]

    operations = [
        migrations.AlterField(
            "difference", "kind", models.CharField(choices=KINDS, max_length=12)
        ),
    ]
