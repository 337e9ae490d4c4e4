"""A workspace that has an owner keeps one, whoever leaves at the same moment.

The trigger locks the workspace in a statement of its own and counts afterwards: of two
owners who go at once the second waits, and then sees that the first has gone.
"""

from django.db import migrations

KEEP = """
CREATE FUNCTION workspaces_an_owner_always() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM workspaces_workspace WHERE id = OLD.workspace_id FOR NO KEY UPDATE;
    PERFORM FROM workspaces_membership WHERE workspace_id = OLD.workspace_id AND role = 'owner';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the workspace would be left without an owner'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'membership_an_owner_always';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER workspaces_membership_owner_changed
    AFTER UPDATE OF role, workspace_id ON workspaces_membership
    FOR EACH ROW WHEN (OLD.role = 'owner' AND (NEW.role <> 'owner' OR NEW.workspace_id <> OLD.workspace_id))
    EXECUTE FUNCTION workspaces_an_owner_always();
CREATE TRIGGER workspaces_membership_owner_deleted
    AFTER DELETE ON workspaces_membership
    FOR EACH ROW WHEN (OLD.role = 'owner')
    EXECUTE FUNCTION workspaces_an_owner_always();
"""

DROP = """
DROP TRIGGER workspaces_membership_owner_deleted ON workspaces_membership;
DROP TRIGGER workspaces_membership_owner_changed ON workspaces_membership;
DROP FUNCTION workspaces_an_owner_always();
"""


class Migration(migrations.Migration):
    dependencies = [("workspaces", "0010_members_and_invitations")]

    operations = [migrations.RunSQL(KEEP, DROP)]
