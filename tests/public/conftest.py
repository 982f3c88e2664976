from commands.conftest import prnn, shared_cache, workplace

__all__ = ["prnn", "shared_cache", "workplace"]
