"""What can go wrong with a cluster on this machine, as types.

DevclusterError
├── CannotBuild        the control plane cannot be compiled here
├── DidNotStart        a component ended, or did not answer in time
├── NotRunning         there is no such cluster, or it is not up
└── CommandFailed      kubectl or kind answered with an error
"""


class DevclusterError(Exception):
    """Anything that the command line shows as one line instead of a traceback."""


class CannotBuild(DevclusterError):
    """The control plane cannot be compiled here; waiting will not help."""


class DidNotStart(DevclusterError):
    """A component ended, or did not answer in time; its log says why."""


class NotRunning(DevclusterError):
    """There is no such cluster, or it is not up."""


class CommandFailed(DevclusterError):
    """A command that we ran for somebody answered with an error."""
