-- What the text of a notification is made from, by kind of event; none for those that want none.
ALTER TABLE subscriptions ADD COLUMN templates LONGTEXT NULL CHECK (templates IS NULL OR JSON_VALID(templates));

DROP TRIGGER subscriptions_made;

CREATE TRIGGER subscriptions_made AFTER INSERT ON subscriptions FOR EACH ROW
BEGIN
    IF (SELECT filling FROM audit_head WHERE one = 1) = 0 THEN
        INSERT INTO audit_records (action, object, object_id, after_state)
        VALUES ('create', 'subscription', LOWER(HEX(NEW.id)),
            JSON_OBJECT('sink', NEW.sink, 'name', NEW.name, 'target', NEW.target, 'principal', NEW.principal,
                'role', NEW.role, 'accounts', JSON_EXTRACT(NEW.accounts, '$'), 'kinds', JSON_EXTRACT(NEW.kinds, '$'),
                'filter_accounts', JSON_EXTRACT(NEW.filter_accounts, '$'),
                'templates', JSON_EXTRACT(NEW.templates, '$'), 'begins_after', NEW.begins_after));
    END IF;
END;

DROP TRIGGER subscriptions_changed;

CREATE TRIGGER subscriptions_changed AFTER UPDATE ON subscriptions FOR EACH ROW
INSERT INTO audit_records (action, object, object_id, before_state, after_state)
VALUES (CASE WHEN OLD.disabled_at IS NULL AND NEW.disabled_at IS NOT NULL THEN 'disable'
             WHEN OLD.disabled_at IS NOT NULL AND NEW.disabled_at IS NULL THEN 'enable'
             ELSE 'change' END,
    'subscription', LOWER(HEX(NEW.id)),
    JSON_OBJECT('name', OLD.name, 'target', OLD.target, 'kinds', JSON_EXTRACT(OLD.kinds, '$'),
        'filter_accounts', JSON_EXTRACT(OLD.filter_accounts, '$'), 'templates', JSON_EXTRACT(OLD.templates, '$'),
        'disabled_at', OLD.disabled_at, 'disabled_why', OLD.disabled_why),
    JSON_OBJECT('name', NEW.name, 'target', NEW.target, 'kinds', JSON_EXTRACT(NEW.kinds, '$'),
        'filter_accounts', JSON_EXTRACT(NEW.filter_accounts, '$'), 'templates', JSON_EXTRACT(NEW.templates, '$'),
        'disabled_at', NEW.disabled_at, 'disabled_why', NEW.disabled_why));
