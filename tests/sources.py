"""Functions defined from text, in a namespace of their own, for tests that change what a function reads."""

import types


def module(**values):
    """A namespace of a module's own, in which functions are defined."""
    made = types.ModuleType("own")
    made.__dict__.update(values)
    return made


def defined(source, **values):
    """The function `f` of a source text, and its globals."""
    names = module(**values).__dict__
    exec(compile(source, "<own>", "exec"), names)
    return names["f"], names


class Trainer:
    slope = 3.0

    def __init__(self, model=None):
        self.model, self.rate, self.history = model, 0.1, []

    @property
    def double(self):
        return 2 * self.rate

    def step(self, x):
        return x * self.rate * self.slope

    def __call__(self, x):
        return self.step(x)


STATE = """
import functools, heapq, operator, random, itertools, types, copy, dataclasses, enum, weakref, collections, abc, os
import array as arr_pkg
import numpy as np, zen
G = globals()
class D:
    def __get__(self, o, c): return o.rate
class T:
    shared = 1
    def __init__(self, r): self.rate=r*(rate if False else 1); self.truth=True; self.n=1; self.table={}; self.child=None
    def step(self, x): return x*self.rate*self.shared*rate
    @property
    def sh(self): return self.shared
    @classmethod
    def cm(cls): return cls.shared
    @staticmethod
    def sm(): return rate
    def __call__(self, x): return self.rate*x
    def __getitem__(self, k): return self.rate
    def __iter__(self): return iter([self.rate])
    def __bool__(self): return self.truth
    def __add__(self, x): return self.rate+x
    __radd__ = __add__
    def __neg__(self): return -self.rate
    def __eq__(self, o): return self.rate == o
    def __hash__(self): return 1
    def __contains__(self, o): return self.rate == o
    def __len__(self): return self.n
    def __float__(self): return float(self.rate)
    def __array__(self, dtype=None, copy=None): return np.full(2, float(self.rate))
    @functools.cached_property
    def cached(self): return rate
    desc = D()
    def __getattr__(self, name):
        if name == 'missing_attr': return self.rate
        raise AttributeError(name)
class Sub(T):
    def step(self, x): return super().step(x)
class Ctx:
    def __init__(self): self.held = T(1)
    def __enter__(self): return self.held
    def __exit__(self, *a): return False
@dataclasses.dataclass
class DC:
    v: float = 1.0
class SL:
    __slots__ = ('v',)
class Color(enum.Enum):
    RED=1; BLUE=2
class Net(zen.nn.Module):
    def __init__(self, deep=True):
        super().__init__()
        self.k = 1
        if deep: self.sub = Net(False)
    def forward(self, x): return x*self.k*rate
    def helper(self, x): return x*self.k
P = collections.namedtuple('P', 'x y')
rate=1; nm='rate'
t=T(1); t.other=5; u0=T(2); t.child=T(1); t.child.child=T(1); t.table['k']=T(1)
ts=[T(1),T(2)]; objs={'a':T(1)}; tset={T(1)}; lst=[1,2]; cfg={'k':1}; cfg2={'a':1}
arr=np.ones(3); arr2d=np.ones((2,2)); ctx=Ctx(); point=P(1,1); dc=DC(); sl=SL(); sl.v=1
color=Color.RED; net=Net(); ml=zen.nn.ModuleList([Net()])
mod=types.ModuleType('mod'); mod.__dict__['val']=1; exec('def fn(x): return x*val', mod.__dict__)
dd=collections.defaultdict(lambda: 3); dd['new']=1
od=collections.OrderedDict(a=1); cm=collections.ChainMap(cfg)
ud=collections.UserDict(k=1)
ns=types.SimpleNamespace(a=types.SimpleNamespace(b=1))
pl=[1]
part=functools.partial(lambda p, x: p[0]*x, pl)
bm=t.step
mp=types.MappingProxyType(cfg)
rng_list=[1]
weak=weakref.ref(t)
class AB(abc.ABC):
    @abc.abstractmethod
    def go(self, x): ...
class AC(AB):
    v=1
    def go(self, x): return self.v*x
abc_obj=AC()
class M(type):
    hidden=1
    @property
    def val(cls): return cls.hidden
class meta_cls(metaclass=M): pass
@functools.singledispatch
def sd(x): return x
@sd.register(float)
def _(x): return x*rate
bytes_arr=bytearray(b'ab')
aa=arr_pkg.array('d',[1.0])
cnt = collections.Counter()
counter = itertools.count()
def h(u, v): u.rate = v
def h2(l): l.append(1)
def h3(ls):
    for l in ls: l.append(1)
def mk(): return []
def setter(self): self.rate = 3
T.setter = setter
T.prop = property(lambda s: 1, lambda s, v: s.table.update(q=v))
"""


def state():
    made = types.ModuleType("state").__dict__
    exec(STATE, made)
    return made
