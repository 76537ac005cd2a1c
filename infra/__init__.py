"""What stays at home: the template, packaging, deployment, the local stack and the platform admin's commands."""
