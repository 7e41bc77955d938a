"""``python -m idm_app`` is the same as ``idm``."""

from idm_app.cli import main

if __name__ == "__main__":
    main()
