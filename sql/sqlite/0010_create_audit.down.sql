DROP TABLE strongroom_signature;
DROP TABLE strongroom_audit_head;
DROP TABLE strongroom_audit;
