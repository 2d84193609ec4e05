def held_groups(practice_id): return []
def discard(group, *, reason, actor): raise NotImplementedError
def accept(group, *, reason, actor): raise NotImplementedError
