-- What the text of a notification is made from, by kind of event; none for those that want none.
ALTER TABLE subscriptions ADD COLUMN templates TEXT CHECK (templates IS NULL OR json_valid(templates));

DROP TRIGGER subscriptions_audit_insert;

CREATE TRIGGER subscriptions_audit_insert AFTER INSERT ON subscriptions
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, after_state)
    SELECT at, actor, origin, 'create', 'subscription', lower(hex(NEW.id)),
           json_object('sink', NEW.sink, 'name', NEW.name, 'target', NEW.target, 'principal', NEW.principal,
                       'role', NEW.role, 'accounts', json(NEW.accounts), 'kinds', json(NEW.kinds),
                       'filter_accounts', json(NEW.filter_accounts), 'templates', json(NEW.templates),
                       'begins_after', NEW.begins_after)
      FROM audit_signature;
END;

DROP TRIGGER subscriptions_audit_update;

CREATE TRIGGER subscriptions_audit_update AFTER UPDATE ON subscriptions
BEGIN
    INSERT INTO audit_records (at, actor, origin, action, object, object_id, before_state, after_state)
    SELECT at, actor, origin,
           CASE WHEN OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL THEN 'disable'
                WHEN OLD.disabled_at IS NOT NULL AND NEW.disabled_at IS NULL THEN 'enable'
                ELSE 'change' END,
           'subscription', lower(hex(NEW.id)),
           json_object('name', OLD.name, 'target', OLD.target, 'kinds', json(OLD.kinds),
                       'filter_accounts', json(OLD.filter_accounts), 'templates', json(OLD.templates),
                       'disabled_at', OLD.disabled_at, 'disabled_why', OLD.disabled_why),
           json_object('name', NEW.name, 'target', NEW.target, 'kinds', json(NEW.kinds),
                       'filter_accounts', json(NEW.filter_accounts), 'templates', json(NEW.templates),
                       'disabled_at', NEW.disabled_at, 'disabled_why', NEW.disabled_why)
      FROM audit_signature;
END;
