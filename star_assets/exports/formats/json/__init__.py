"""JSON: objects one after the other, a line each as a rule, or one array of objects."""
