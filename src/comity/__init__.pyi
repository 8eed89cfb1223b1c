from comity.app import open as open
from comity.kernel.problem import Problem as Problem
from comity.workspace import Workspace as Workspace

__version__: str
