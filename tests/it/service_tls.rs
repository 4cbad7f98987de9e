//! Who gets in: the matrix of certificates, and what changes while connections are open.
