"""What people see: tables, figures and reports."""
