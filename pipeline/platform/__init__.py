"""The one hand for the machine: files, locks, git, processes, identity. Standard library and GitPython.

* ``disk``          whole files, whole lines, and their faults: every system call that changes a disk
                    is one of ``disk.operations``, so that tests can let it fail
* ``confined``      the same below a workspace, walked to without following a link
* ``lock``          what only one may do, and who does it now
* ``identity``      who acts, and where
* ``lenient_json``  JSON of unknown quality: an object, or that it is gone, refused or garbage
* ``process``       start a program and wait for it; ``git`` is started in ``git`` alone
* ``voice``         what a command says
"""
