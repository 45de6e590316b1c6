"""Where the cameras of a rig stand: boards, their corners, the joint solution, and the file that keeps it.

In reading order: `board` (what is printed), `detect` (its corners in a picture, or why not), `coverage` (what
is still missing), `solve` (all cameras at once), `factory` (depth against colour), `rig` (the stored file),
`agree` (whether it still holds).
"""
