"""The one hand for the machine: files, locks, git, processes, identity, terminal.

* ``disk``          whole files, whole lines, and their faults: every system call that changes a disk
                    is one of ``disk.operations``, so that tests can let it fail
* ``confined``      the same below a workspace, walked to without following a link
* ``lock``          what only one may do, and who does it now
* ``identity``      who acts, and where
* ``lenient_json``  JSON of unknown quality: an object, or that it is gone, refused or garbage
* ``process``       start a program and wait for it; ``async_process`` for whoever must not block
* ``git``           the repository's state; ``git_objects`` what its commits hold
* ``firewall``      ask the installed firewall: one question, four answers
* ``file_changes``  wait until files change
* ``code_digest``   which code this is
* ``voice``         what a command says, over ``streams`` and ``drawing``; ``command_line`` what it takes

Standard library and ``pipeline.contracts``; GitPython, rich and watchfiles are imported when needed.
"""
