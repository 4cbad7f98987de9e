-- what cannot be carried
CREATE TABLE ec2_credential (
    id char(36) NOT NULL PRIMARY KEY, user_id varchar(64) NOT NULL, tenant_id varchar(64), access varchar(64) UNIQUE, secret varchar(64) NOT NULL,
    short varchar(8) GENERATED ALWAYS AS (left(access, 8)) STORED, note varchar(1000), KEY by_note (note)
) CHARACTER SET latin1 COLLATE latin1_bin;
ALTER TABLE ec2_credential MODIFY note varchar(1000) NOT NULL;
CREATE VIEW ec2_overview AS SELECT user_id, access FROM ec2_credential;
CREATE TABLE seen (access varchar(64), CONSTRAINT seen_access FOREIGN KEY (access) REFERENCES ec2_credential (access)) CHARACTER SET latin1 COLLATE latin1_bin;
CREATE TRIGGER ec2_changed BEFORE UPDATE ON ec2_credential FOR EACH ROW SET new.tenant_id = old.tenant_id;
CREATE TRIGGER seen_changed AFTER DELETE ON seen FOR EACH ROW DELETE FROM ec2_credential WHERE access = old.access;
