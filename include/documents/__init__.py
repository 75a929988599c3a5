"""List objects, fetch them, and turn any of them into text or a reason why not."""
