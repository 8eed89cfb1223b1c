from typing import Annotated as Annotated
from typing import Any as Any
from typing import ClassVar as ClassVar
from typing import Concatenate as Concatenate
from typing import Generic as Generic
from typing import Literal as Literal
from typing import ParamSpec as ParamSpec
from typing import Protocol as Protocol
from typing import Self as Self
from typing import TypeVar as TypeVar
from typing import cast as cast

class Form:
    name: str
    args: tuple[Any, ...]
