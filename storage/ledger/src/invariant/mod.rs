//! What must hold after every entry, one file per property.
