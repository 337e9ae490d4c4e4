"""The owner that a workspace keeps has a login that is on, whoever is switched off or goes.

Counting holds the owners' logins until the end: one that is being switched off is waited for.
"""

from django.db import migrations

KEEP = """
CREATE OR REPLACE FUNCTION workspaces_an_owner_always() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM workspaces_workspace WHERE id = OLD.workspace_id FOR NO KEY UPDATE;
    PERFORM FROM workspaces_membership m JOIN workspaces_user u ON u.id = m.user_id
        WHERE m.workspace_id = OLD.workspace_id AND m.role = 'owner' AND u.is_active
        FOR SHARE OF u;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the workspace would be left without an owner'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'membership_an_owner_always';
    END IF;
    RETURN NULL;
END $$;

DROP TRIGGER workspaces_membership_owner_changed ON workspaces_membership;
CREATE TRIGGER workspaces_membership_owner_changed
    AFTER UPDATE OF role, workspace_id, user_id ON workspaces_membership
    FOR EACH ROW WHEN (OLD.role = 'owner' AND (NEW.role <> 'owner'
        OR NEW.workspace_id <> OLD.workspace_id OR NEW.user_id <> OLD.user_id))
    EXECUTE FUNCTION workspaces_an_owner_always();

CREATE FUNCTION workspaces_an_owner_who_can_sign_in() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    owned bigint;
BEGIN
    FOR owned IN SELECT workspace_id FROM workspaces_membership
        WHERE user_id = OLD.id AND role = 'owner' ORDER BY workspace_id
    LOOP
        PERFORM FROM workspaces_workspace WHERE id = owned FOR NO KEY UPDATE;
        PERFORM FROM workspaces_membership m JOIN workspaces_user u ON u.id = m.user_id
            WHERE m.workspace_id = owned AND m.role = 'owner' AND u.is_active
            FOR SHARE OF u;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'workspace % would be left without an owner who can sign in', owned
                USING ERRCODE = 'restrict_violation', CONSTRAINT = 'membership_an_owner_always';
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

CREATE TRIGGER workspaces_user_owner_switched_off
    AFTER UPDATE OF is_active ON workspaces_user
    FOR EACH ROW WHEN (OLD.is_active AND NOT NEW.is_active)
    EXECUTE FUNCTION workspaces_an_owner_who_can_sign_in();
"""

DROP = """
DROP TRIGGER workspaces_user_owner_switched_off ON workspaces_user;
DROP FUNCTION workspaces_an_owner_who_can_sign_in();

DROP TRIGGER workspaces_membership_owner_changed ON workspaces_membership;
CREATE TRIGGER workspaces_membership_owner_changed
    AFTER UPDATE OF role, workspace_id ON workspaces_membership
    FOR EACH ROW WHEN (OLD.role = 'owner' AND (NEW.role <> 'owner' OR NEW.workspace_id <> OLD.workspace_id))
    EXECUTE FUNCTION workspaces_an_owner_always();

CREATE OR REPLACE FUNCTION workspaces_an_owner_always() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM workspaces_workspace WHERE id = OLD.workspace_id FOR NO KEY UPDATE;
    PERFORM FROM workspaces_membership WHERE workspace_id = OLD.workspace_id AND role = 'owner';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the workspace would be left without an owner'
            USING ERRCODE = 'restrict_violation', CONSTRAINT = 'membership_an_owner_always';
    END IF;
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("workspaces", "0051_workspace_default")]

    operations = [migrations.RunSQL(KEEP, DROP)]
