"""`python -m sim.view.handbook FILE ...` fills the tables of these documents anew; `make tables` does it for all."""

import sys

from sim.view.handbook.filling import main

if __name__ == "__main__":
    main(sys.argv[1:])
