-- if table strongroom_signature
DROP TABLE strongroom_signature;

-- if table strongroom_audit_head
DROP TABLE strongroom_audit_head;

-- if table strongroom_audit
DROP TABLE strongroom_audit;
