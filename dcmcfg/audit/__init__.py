"""Report each change to an audit log, as a syslog message or as a DICOM audit message."""
