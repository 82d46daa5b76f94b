"""on_uvloop.py SCRIPT [ARGUMENT]...: a script of asyncio's, on uvloop's event loop."""
import runpy
import sys

import uvloop

uvloop.install()
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
