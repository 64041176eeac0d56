class Reads:
    generators=()
    @staticmethod
    def of(f,args=(),kwargs={}): return Reads()
    def changed(self): return None
