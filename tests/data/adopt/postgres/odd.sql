-- what cannot be carried
CREATE TABLE parent (note text);
CREATE TABLE ec2_credential (
    id varchar(64) NOT NULL PRIMARY KEY, user_id varchar(64) NOT NULL, tenant_id varchar(64), access varchar(64) UNIQUE, secret varchar(64) NOT NULL,
    short text GENERATED ALWAYS AS (left(access, 8)) STORED, number bigint GENERATED ALWAYS AS IDENTITY
) INHERITS (parent);
CREATE FUNCTION log() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
CREATE TRIGGER ec2_changed AFTER UPDATE ON ec2_credential FOR EACH ROW EXECUTE FUNCTION log();
CREATE RULE ec2_kept AS ON DELETE TO ec2_credential DO INSTEAD NOTHING;
CREATE POLICY ec2_own ON ec2_credential USING (user_id = current_user);
ALTER TABLE ec2_credential ENABLE ROW LEVEL SECURITY;
CREATE PUBLICATION ec2_stream FOR TABLE ec2_credential;
CREATE MATERIALIZED VIEW ec2_copy AS SELECT secret FROM ec2_credential;
CREATE STATISTICS ec2_statistics ON user_id, access FROM ec2_credential;
CREATE TABLE seen (access varchar(64) CONSTRAINT seen_access REFERENCES ec2_credential (access));
INSERT INTO ec2_credential VALUES (NULL, 'c1', 'u1', 't1', 'AKIA-one', 'secret-one');
