"""What people see: tables, text, figures and the report."""
