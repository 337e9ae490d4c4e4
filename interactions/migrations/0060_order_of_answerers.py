"""Who answers each number today, noted where the list is sorted by it (numbers/usages.py)."""

from itertools import islice

from django.db import migrations

from lib import e164 as formats

AT_ONCE = 5000


def answerer(answer):
    kind, phones = answer["kind"], answer.get("phones", ())
    if kind != "forward":
        return {"say": "announcement", "voicemail": "voicemail"}[kind]
    others = f" and {len(phones) - 1} more" if len(phones) > 1 else ""
    return f"{formats.international(phones[0])}{others}"


def note_answerers(apps, schema_editor):
    routes = apps.get_model("interactions", "Route").objects.filter(medium="voice", replaced_at=None)
    decided = routes.values_list("number_id", "plan__answer").iterator(AT_ONCE)
    while some := list(islice(decided, AT_ONCE)):
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(
                "UPDATE numbers_number AS number SET answered_by = decided.words "
                "FROM unnest(%s::bigint[], %s::text[]) AS decided (number_id, words) "
                "WHERE number.id = decided.number_id",
                [[number for number, _ in some], [answerer(answer) for _, answer in some]],
            )


class Migration(migrations.Migration):
    dependencies = [
        ("interactions", "0041_parts_of_calls"),
        ("numbers", "0060_order_of_usages"),
    ]

    operations = [migrations.RunPython(note_answerers, migrations.RunPython.noop)]
