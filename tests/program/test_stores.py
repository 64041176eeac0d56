"""What a function changes besides what it makes itself is listed, with the line."""

import textwrap

import numpy as np
import pytest
from sources import Trainer, defined, state

from zen.program.reads import Reads

# what has an effect that outlives the call
STORES = [
    "for u in ts: u.rate = 0",
    "for u, _ in zip(ts, ts): u.rate = 0",
    "for k, u in objs.items(): u.rate = 0",
    "[lst.append(1) for _ in range(2)]",
    "ap = lst.append; ap(3)",
    "list.append(lst, 3)",
    "heapq.heappush(lst, 1)",
    "random.shuffle(lst)",
    "np.add(arr, 1, out=arr)",
    "np.copyto(arr, 1)",
    "arr2d.T[0] = 1",
    "arr2d.reshape(-1)[0] = 1",
    "arr2d[0][0] = 1",
    "for row in arr2d: row[0] = 1",
    "np.add.at(arr, 0, 1)",
    "operator.setitem(cfg, 'k', 1)",
    "setattr(t, 'rate', 1)",
    "t.__dict__['rate'] = 3",
    "t.__setattr__('rate', 3)",
    "object.__setattr__(t, 'rate', 3)",
    "q = cfg; q |= {'k': 2}",
    "del cfg['k']",
    "net.eval()",
    "net.sub.requires_grad_(False)",
    "t.table.setdefault('z', 1)",
    "cnt.update(a=1)",
    "def g(): t.rate = 1\ng()",
    "(lambda: lst.append(1))()",
    "list(map(lst.append, [1]))",
    "functools.partial(lst.append, 1)()",
    "h(t, 1)",
    "h(*[t, 1])",
    "h2(lst)",
    "h3([lst])",
    "T.setter(t)",
    "t.prop = 3",
    "mod.val = 3",
    "T.shared = 3",
    "arr.sort()",
    "np.sort(arr); arr.flat[0] = 3",
    "v = arr[1:]; v[0] = 1",
    "v, w = arr2d; v[0] = 1",
    "v = np.atleast_1d(arr); v *= 2",
    "v = (arr if x else None); v[0] = 1",
    "v = t.table['k']; v.rate += 1",
    "lst[:] = [1]",
    "lst2 = lst; lst2 += [1]",
    "lst.__setitem__(0, 1)",
    "ctx.held.rate = 1",
    "cnt['a'] += 1",
    "next(counter)",
]

# what changes only that which the function makes
OWN = [
    "y = list(lst); y.append(1)",
    "y = lst + [1]; y += [2]",
    "y = dict(cfg); y['a'] = 1",
    "y = cfg.copy(); y['a'] = 1",
    "y = {**cfg}; y['a'] = 1",
    "y = arr.copy(); y[0] = 1",
    "y = np.array(lst); y[0] = 1",
    "y = np.sort(arr); y[0] = 1",
    "y = np.zeros_like(arr); y[:] = arr",
    "y = [a * 2 for a in arr]; y[0] = 1",
    "y = np.dot(arr2d, arr); y += 1",
    "y = x.copy(); y[0] = 1",
    "y = x[1:]; y += 1",
    "y = sorted(ts, key=len); y.pop()",
    "y = T(1); y.rate = 2; y.table['a'] = 1; y.table.update(b=1)",
    "y = [T(1)]; y[0].rate = 2",
    "out = []\nfor u in ts: out.append(u.rate)",
    "out = {}\nfor k, u in objs.items(): out[k] = u.rate",
    "n = 0\nfor u in ts: n += u.rate",
    "s = arr.sum(); s += 1",
    "s = arr @ arr2d; s -= arr",
    "s = rate; s += 1",
    "import_ = cfg['k']; import_ += 1",
    "acc = (); acc += (1,)",
    "z = zen.tensor(arr); z[0] = 1",
    "z = net(x); z += 1",
    "y = np.concatenate([arr, arr]); y[0] = 3",
    "y = arr.astype(float) + 1; y[0] = 3",
    "y = mk(); y.append(1)",
    "ys = [np.zeros(2) for _ in range(3)]\nfor k in ys: k[0] = 1",
    "ys = [[0]*3 for _ in lst]; ys[0][0] = 1",
    "y = np.empty((2,2)); y[0][1] = 1; y[:, 0] += arr[:2]",
    "m = zen.grad(lambda q: q*rate)(2.0); m = m + 1",
    "y = copy.deepcopy(lst); y.append(1)",
    "y = x.reshape(-1); y[0] = 1",
    "y = arr.mean(0); y += 1",
    "y, z = arr + 1, arr * 2; y[0] = 1",
    "y = np.where(x > 0, arr, 0); y[0] = 1",
    "y = zen.f.tanh(arr); y += 1",
    "st = collections.defaultdict(list); st['a'].append(1)",
    "q = collections.deque(); q.append(1)",
]


def reads_of(body):
    names = state()
    exec(compile("def f(x):\n" + textwrap.indent(textwrap.dedent(body), "    "), "<own>", "exec"), names)
    return Reads.of(names["f"], (np.ones(3),))


@pytest.mark.parametrize("body", STORES)
def test_what_outlives_the_call_is_listed(body):
    assert reads_of(body).stores != []


@pytest.mark.parametrize("body", OWN)
def test_what_the_function_makes_is_not_listed(body):
    reads = reads_of(body)
    assert reads.stores == [] and reads.opaque == []


class TestStores:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ("global count; count = x", "line 2 of f: global 'count' is assigned"),
            ("t.rate = x", "line 2 of f: attribute 'rate' of global 't' of module own is assigned"),
            ("t.rate += 1", "attribute 'rate'"),
            ("del t.rate", "attribute 'rate'"),
            ("setattr(t, 'rate', x)", "attribute 'rate'"),
            ("t.history.append(x)", "changed by append()"),
            ("held.append(x)", "line 2 of f: global 'held' of module own is changed by append()"),
            ("held[0] = x", "an element of global 'held' of module own is assigned"),
            ("held[0:1] = [x]", "is assigned"),
            ("del held[0]", "is deleted"),
            ("y = held; y += [x]", "changed by +="),
            ("d['a']['b'] = x", "['a'] is assigned"),
            ("d.setdefault('c', x)", "changed by setdefault()"),
            ("a[0] = x", "an element of global 'a' of module own is assigned"),
            ("y = np.asarray(a)[1:]; y += x", "global 'a'"),
            ("a.fill(x)", "changed by fill()"),
            ("inner(held)", "line 4 of inner"),
            ("for y in [held]: y.append(x)", "changed by append()"),
            ("print(x)", "print() writes"),
        ],
    )
    def test_stores(self, body, said):
        source = f"def f(x):\n    {body}\ndef inner(y):\n    y.append(1)\n"
        f, _ = defined(source, held=[1], t=Trainer(), d={"a": {}}, a=np.ones(3), np=np, count=0)
        found = Reads.of(f, (1.0,)).stores
        assert any(said in text for text in found), found

    def test_a_closed_over_variable(self):
        count = 0

        def f(x):
            nonlocal count
            count = count + 1
            return x

        assert Reads.of(f, (1.0,)).stores[0].endswith("the closed-over 'count' is assigned")

    @pytest.mark.parametrize(
        "body",
        [
            "y = []; y.append(x); y[0] = 1; return y",
            "y = np.zeros(3); y[0] = x; y += a; return y",
            "y = {}; y['a'] = held; y.update(b=1); return y",
            "y = [k for k in held]; y.sort(); return y",
            "y = Trainer(); y.rate = x; y.history.append(1); return y",
            "y = x * a; y += 1; y[0] = 2; return y",
            "y = held[0]; y += x; return y",
            "y = x; y[0] = 1; return y",
            "y = np.tanh(a); y *= 2; return y",
            "y = a + 1; y[0] = 2; return y",
            "y = 0\n    def g():\n        nonlocal y\n        y = x\n    g(); return y",
        ],
    )
    def test_what_the_function_makes_is_its_own(self, body):
        f, _ = defined(f"def f(x):\n    {body}\n", held=[1], a=np.ones(3), np=np, Trainer=Trainer)
        assert Reads.of(f, (np.ones(3),)).stores == []
