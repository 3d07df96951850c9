"""Sites, their forms, and submissions exactly as they arrived."""
