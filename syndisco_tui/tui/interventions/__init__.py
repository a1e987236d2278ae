"""What a person does to an open discussion: post, edit, delete, regenerate, fork."""
