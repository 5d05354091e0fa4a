"""Are groups of people decided about alike, and what do features tell of the group?"""
