"""The audit trail stays as it was written, even for SQL by hand."""

from django.db import migrations

FINAL = """
CREATE FUNCTION workspaces_auditevent_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is never changed or deleted'
        USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER workspaces_auditevent_no_update_or_delete
    BEFORE UPDATE OR DELETE ON workspaces_auditevent
    FOR EACH ROW EXECUTE FUNCTION workspaces_auditevent_is_final();
CREATE TRIGGER workspaces_auditevent_no_truncate
    BEFORE TRUNCATE ON workspaces_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION workspaces_auditevent_is_final();
"""

DROP = """
DROP TRIGGER workspaces_auditevent_no_truncate ON workspaces_auditevent;
DROP TRIGGER workspaces_auditevent_no_update_or_delete ON workspaces_auditevent;
DROP FUNCTION workspaces_auditevent_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [("workspaces", "0002_audit_and_notices")]

    operations = [migrations.RunSQL(FINAL, DROP)]
