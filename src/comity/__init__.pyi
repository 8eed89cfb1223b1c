from comity.app import Workspace as Workspace
from comity.app import open as open
from comity.kernel.problem import Problem as Problem

__version__: str
