"""Whatever way a function reads state: where a change of it shows in the result, `changed` says so.

The judge is the function itself, called before and after the change.
"""

import pytest
from sources import state

from zen.program.reads import Reads

# functions, each with a change that its result shows
READS = """
def f(x): return t.held_child.rate*x
T.held_child = property(lambda self: self.child)
-> t.child.rate = 9
def f(x): return [u.rate for u in map(get, [1])][0]*x
def get(k): return t
-> t.rate = 9
def f(x): return (holder + 1).rate*x
class Holder:
    def __add__(self, x): return t
holder = Holder()
-> t.rate = 9
def f(x): return [u.rate for u in holder][0]*x
class Holder:
    def __iter__(self): return iter(ts)
holder = Holder()
-> ts[0].rate = 9
def f(x): return [u.rate for u in Holder()][0]*x
class Holder:
    def __iter__(self): return iter([t])
-> t.rate = 9
def f(x): return holder.any_name.rate*x
class Holder:
    def __getattr__(self, name): return t
holder = Holder()
-> t.rate = 9
def f(x): return wrapped(x).rate*x
def wrap(g):
    @functools.wraps(g)
    def inner(*args, **named): return g(*args, **named)
    return inner
@wrap
def wrapped(x): return t
-> t.rate = 9
def f(x): return functools.partial(get, 1)().rate*x
def get(k): return t
-> t.rate = 9
def f(x): return (lambda g: g())(lambda: t).rate*x
-> t.rate = 9
def f(x): return max([x], key=lambda y: t.rate)*pick(0).rate
def pick(n): return t if n == 0 else pick(n - 1)
-> t.rate = 9
def f(x): return dict(map(lambda kv: (kv[0], kv[1].rate), objs.items()))['a']*x
-> objs['a'].rate = 9
def f(x): return max(ts, key=lambda t: t.rate).rate*x
-> ts[0].rate = 9
def f(x): return sorted(ts, key=lambda t: t.rate)[0].rate*x
-> ts[0].rate = 9
def f(x): return [t for t in ts if t][0].rate * x
-> ts[0].rate = 9
def f(x): return functools.reduce(lambda a, t: a + t.rate, ts, 0)*x
-> ts[0].rate = 9
def f(x): return operator.attrgetter('rate')(t)*x
-> t.rate = 9
def f(x): return operator.methodcaller('step', x)(t)
-> t.rate = 9
def f(x):
    a, (b, *c) = 1, ts
    return b.rate*x
-> ts[0].rate = 9
def f(x):
    for i in range(len(ts)):
        x = x*ts[i].rate
    return x
-> ts[0].rate = 9
def f(x):
    it = iter(ts)
    u = next(it)
    return u.rate*x
-> ts[0].rate = 9
def f(x):
    while True:
        u = ts[0] if x else t
        break
    return u.rate*x
-> ts[0].rate = 9
def f(x):
    try:
        u = missing_thing
    except NameError:
        u = t
    return u.rate*x
-> t.rate = 9
def f(x):
    try:
        return missing_thing*x
    except NameError:
        return x
-> G['missing_thing'] = 5
def f(x): return (t or None).rate*x
-> t.rate = 9
def f(x): return f'{t.rate}'
-> t.rate = 9
def f(x): return (lambda: t)().rate*x
-> t.rate = 9
def f(x):
    def get(): return t
    return get().rate*x
-> t.rate = 9
def f(x):
    class K:
        u = t
        v = rate
    return K.u.rate*x
-> t.rate = 9
def f(x):
    class K:
        v = rate
    return K.v*x
-> G['rate'] = 9
def f(x):
    class K:
        def go(self): return t.rate
    return K().go()*x
-> t.rate = 9
def f(x): return globals_of().rate*x
def globals_of(): return t
-> t.rate = 9
def f(x):
    with ctx as u:
        return u.rate*x
-> ctx.held.rate = 9
def f(x): return getattr(t, nm)*x
-> G['nm'] = 'other'
def f(x): return t.table['k'].rate*x
-> t.table['k'].rate = 9
def f(x): return t.child.child.rate*x
-> t.child.child = T(9)
def f(x): return T.shared*x
-> T.shared = 9
def f(x): return t.sh*x
-> T.shared = 9
def f(x): return T.cm()*x
-> T.shared = 9
def f(x): return t.cm()*x
-> T.shared = 9
def f(x): return T.sm()*x
-> G['rate'] = 9
def f(x): return t.sm()*x
-> G['rate'] = 9
def f(x): return T(3).step(x)
-> G['rate'] = 9
def f(x): return Sub(3).step(x)
-> G['rate'] = 9
def f(x): return type(t).shared*x
-> T.shared = 9
def f(x): return t.__class__.shared*x
-> T.shared = 9
def f(x): return t.__dict__['rate']*x
-> t.rate = 9
def f(x): return vars(t)['rate']*x
-> t.rate = 9
def f(x): return t(x)
-> t.rate = 9
def f(x): return t[0]*x
-> t.rate = 9
def f(x): return sum(t)*x
-> t.rate = 9
def f(x): return x if t else -x
-> t.truth = False
def f(x): return t + x
-> t.rate = 9
def f(x): return x + t
-> t.rate = 9
def f(x): return -t
-> t.rate = 9
def f(x): return x if t == 1 else -x
-> t.rate = 9
def f(x): return x if 1 in t else -x
-> t.rate = 9
def f(x): return len(t)*x
-> t.n = 9
def f(x): return np.asarray(t)*x
-> t.rate = 9
def f(x): return float(t)*x
-> t.rate = 9
def f(x): return sum(u.rate for u in ts)*x
-> ts.append(T(4))
def f(x): return sum(u.rate for u in tset)*x
-> next(iter(tset)).rate = 9
def f(x): return arr[0]*x
-> arr[0] = 9
def f(x): return h(x)
def h(y, k=lst): return y*k[0]
-> lst[0] = 9
def f(x): return h(x)
def h(y, *, k=t): return y*k.rate
-> t.rate = 9
def f(x): return g2(g3, x)
def g2(fn, x): return fn(x)
def g3(x): return x*rate
-> G['rate'] = 9
def f(x): return table['fn'](x)
def g3(x): return x*rate
table = {'fn': g3}
-> G['rate'] = 9
def f(x): return table['fn'](x)
def g3(x): return x*rate
table = {'fn': lambda x: x}
table['fn'] = functools.partial(functools.partial(g3))
-> G['rate'] = 9
def f(x): return deco(x)
def mk(fn):
    def w(*a, **k): return fn(*a, **k)
    return w
@mk
def deco(x): return x*rate
-> G['rate'] = 9
def f(x): return sum(gen(x))
def gen(x):
    yield from inner(x)
def inner(x):
    yield x*rate
-> G['rate'] = 9
def f(x): return zen.grad(lambda y: y*t.rate)(x)
-> t.rate = 9
def f(x): return zen.grad(h)(x, t)
def h(y, u): return y*u.rate
-> t.rate = 9
def f(x): return zen.vmap(lambda y: y*rate)(np.ones(2)*x)
-> G['rate'] = 9
def f(x): return zen.checkpoint(h, x)
def h(y): return y*rate
-> G['rate'] = 9
def f(x): return np.vectorize(h)(x)
def h(y): return y*rate
-> G['rate'] = 9
def f(x): return np.apply_along_axis(h, 0, np.ones(2)*x)
def h(y): return y*rate
-> G['rate'] = 9
def f(x): return t.cached*x
-> G['rate'] = 9; t.__dict__.pop('cached', None)
def f(x): return t.desc*x
-> t.rate = 9
def f(x): return t.missing_attr*x
-> t.rate = 9
def f(x): return x if hasattr(t, 'flag') else -x
-> t.flag = 1
def f(x):
    try: return t.flag*x
    except AttributeError: return x
-> t.flag = 5
def f(x): return x if 'k' in cfg else -x
-> del cfg['k']
def f(x): return cfg.get('zz', 1)*x
-> cfg['zz'] = 4
def f(x): return {**cfg}['k']*x
-> cfg['k'] = 9
def f(x): return h(**cfg2)*x
def h(a): return a
-> cfg2['a'] = 9
def f(x): return h(*lst)*x
def h(a, *r): return a
-> lst[0] = 9
def f(x): return h(*[t])*x
def h(u): return u.rate
-> t.rate = 9
def f(x): return h(**{'u': t})*x
def h(u): return u.rate
-> t.rate = 9
def f(x): return h(t, t)*x
def h(*us): return us[0].rate
-> t.rate = 9
def f(x): return h(u=t)*x
def h(**us): return us['u'].rate
-> t.rate = 9
def f(x):
    u = types.SimpleNamespace(a=t)
    return u.a.rate*x
-> t.rate = 9
def f(x):
    u = T(1)
    u.child = t
    return u.child.rate*x
-> t.rate = 9
def f(x):
    d = {}
    d['a'] = t
    return d['a'].step(x)
-> T.shared = 9
def f(x):
    match t:
        case T(rate=1): return x
        case _: return -x
-> t.rate = 9
def f(x):
    match cfg:
        case {'k': 1}: return x
        case _: return -x
-> cfg['k'] = 9
def f(x): return np.dot(arr2d[0], arr2d[1])*x
-> arr2d[0, 0] = 9
def f(x): return point.x*x
-> G['point'] = P(9, 1)
def f(x): return dc.v*x
-> dc.v = 9
def f(x): return sl.v*x
-> sl.v = 9
def f(x): return mod.val*x
-> mod.val = 9
def f(x): return mod.fn(x)
-> mod.val = 9
def f(x): return [y.rate*x for y in (t, t)][0]
-> t.rate = 9
def f(x): return [[u.rate*x for u in us] for us in [ts]][0][0]
-> ts[0].rate = 9
def f(x): return {k: v.rate*x for k, v in objs.items()}['a']
-> objs['a'].rate = 9
def f(x): return [v.rate*x for v in objs.values()][0]
-> objs['a'].rate = 9
def f(x): return [objs[k].rate*x for k in objs][0]
-> objs['a'].rate = 9
def f(x): return (t if x else u0).step(x)
-> t.rate = 9
def f(x): return u.step(x) if (u := t) else 0
-> t.rate = 9
def f(x): return Color.RED.value*x if color is Color.RED else -x
-> G['color'] = Color.BLUE
def f(x): return ml[0](x)
-> ml[0].k = 9
def f(x): return net(x)
-> net.k = 9
def f(x): return net.sub(x)
-> net.sub.k = 9
def f(x): return net.helper(x)
-> net.k = 9
def f(x):
    for m in net.children(): x = m(x)
    return x
-> net.sub.k = 9
def f(x):
    for n, p in net.named_parameters(): x = x*p.size
    return net(x)
-> net.k = 9
def f(x): return dd['new']*x
-> dd['new'] = 7
def f(x): return od['a']*x
-> od['a'] = 7
def f(x): return cm['k']*x
-> cfg['k'] = 7
def f(x): return ud['k']*x
-> ud['k'] = 7
def f(x): return ns.a.b*x
-> ns.a.b = 7
def f(x): return part(x)
-> pl[0] = 7
def f(x): return bm(x)
-> t.rate = 9
def f(x): return T.step(t, x)
-> t.rate = 9
def f(x): return mp['k']*x
-> cfg['k'] = 9
def f(x): return itertools.chain(ts, ts).__next__().rate*x
-> ts[0].rate = 9
def f(x): return len(rng_list)*x
-> rng_list.append(2)
def f(x): return x * (s := 2) * rate
-> G['rate'] = 9
def f(x):
    def rec(n): return x*rate if n == 0 else rec(n-1)
    return rec(3)
-> G['rate'] = 9
def f(x):
    u = None
    for k in range(3):
        if u is not None: x = x*u.rate
        u = t
    return x
-> t.rate = 9
def f(x): return weak().rate*x
-> t.rate = 9
def f(x): return copy.copy(t).rate*x
-> t.rate = 9
def f(x): return dataclasses.replace(dc).v*x
-> dc.v = 9
def f(x): return abc_obj.go(x)
-> abc_obj.v = 9
def f(x): return meta_cls.val*x
-> type(meta_cls).hidden = 9
def f(x): return sd(x)
-> G['rate'] = 9
def f(x): return os.environ.get('R3V', '1')
-> os.environ['R3V'] = '2'
def f(x): return bytes_arr[0]*x
-> bytes_arr[0] = 9
def f(x): return arr_pkg.array('d', [1])[0]*aa[0]*x
-> aa[0] = 9
def f(x): return t.step.__self__.rate*x
-> t.rate = 9
def f(x): return Net2()(x)
class Net2(zen.nn.Module):
    def forward(self, x): return x*rate
-> G['rate'] = 9
def f(x): return [Sub(2)][0].step(x)
-> G['rate'] = 9
def f(x): return Op() + x
class Op:
    def __add__(self, x): return x*rate
-> G['rate'] = 9
def f(x): return dd2['zz']*x
dd2 = collections.defaultdict(lambda: rate)
-> G['rate'] = 9; dd2.clear()
"""


def cases():
    """(source, change) of each case."""
    source = []
    for line in READS.strip().splitlines():
        if line.startswith("->"):
            yield "\n".join(source), line.removeprefix("->").strip()
            source = []
        else:
            source.append(line)


@pytest.mark.parametrize(("source", "change"), list(cases()))
def test_a_change_that_the_result_shows_is_told(source, change):
    names = state()
    exec(compile(source, "<own>", "exec"), names)
    f = names["f"]
    before = repr(f(2.0))
    reads = Reads.of(f, (2.0,))
    assert reads.opaque == []
    assert repr(f(2.0)) == before and reads.changed() is None
    exec(change, names)
    assert repr(f(2.0)) != before, "no change to be told"
    assert reads.changed() is not None
