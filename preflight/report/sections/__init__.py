"""The parts of the HTML report, each made from the recorded graphs alone."""
