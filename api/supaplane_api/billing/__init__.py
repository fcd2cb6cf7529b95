"""What an organization pays: nothing. Pages about it are told so, that none of them hangs."""
