"""Expressions, in the order of their evaluation: what they read, store, and let addresses flow into."""

import re

from clang.cindex import CursorKind as K
from clang.cindex import StorageClass, TypeKind

import clangapi as api
from conditions import stored_value
from graph import Place, Source, Variable

NEVER_RETURN = {"abort", "exit", "_exit", "_Exit", "quick_exit", "longjmp", "siglongjmp", "__assert_fail",
                "__builtin_unreachable", "__builtin_trap", "__builtin_abort", "__builtin_exit", "err", "errx",
                "verr", "verrx", "terminate"}
# Functions that give back a pointer into what their first argument points to.
INTO_FIRST = {"strchr", "strrchr", "strstr", "strpbrk", "memchr", "memrchr", "memcpy", "memmove", "memset", "strcpy",
              "strncpy", "strcat", "strncat", "stpcpy", "mempcpy", "strtok", "strchrnul", "basename"}
# What is copied by what it is handed to by address: structs, and lists of strings.
COPIED = re.compile(r"thrum_\w+_(options|hints)|thrum_awaitable")
STRINGS = "const char *const *"
CANCEL = {"thrum_task_cancel", "thrum_task_cancel_with", "thrum_future_cancel"}
UNCANCEL = {"thrum_uncancel", "thrum_task_uncancel"}


def pointee_name(type_):
    """Name of the struct that a pointer type points to."""
    return type_.get_canonical().get_pointee().get_declaration().spelling if type_ is not None else ""


class Expressions:
    """The half of the builder that knows expressions. `self.graph` takes the events."""

    # ---- values

    def value(self, cursor):
        """Evaluate an expression; returns the Sources that its value may carry."""
        kind = cursor.kind
        handler = self.HANDLERS.get(kind)
        if handler:
            return handler(self, cursor)
        if kind == K.LAMBDA_EXPR:
            self.graph.add("forget")  # it may store to whatever it captured
            return []
        if kind == K.CXX_UNARY_EXPR or kind.is_declaration() or kind.is_reference():
            return []  # sizeof and its like evaluate nothing
        sources = []
        for kid in api.kids(cursor):
            if kid.kind.is_statement():
                self.statement(kid)
            elif kid.kind.is_expression():
                sources += self.value(kid)
        return sources

    def read(self, cursor):
        """The value of an lvalue expression."""
        place = self.place(cursor)
        if api.is_array(cursor.type):
            return [Source("address", place, cursor)]
        if cursor.type.get_canonical().kind in (TypeKind.FUNCTIONPROTO, TypeKind.FUNCTIONNOPROTO):
            return []
        if place.root is None and place.pointer is None:
            return []
        if api.is_awaitable(cursor.type):
            self.graph.add("spend", place=place, cursor=cursor, by=self.spender,
                           guarded=self.guards > 0)
        self.graph.add("use", place=place, cursor=cursor)
        return [Source("copy", place, cursor)]

    def place(self, cursor):
        """The Place of an lvalue; its indices and pointers are evaluated, it is not read itself."""
        kind = cursor.kind
        if kind in (K.PAREN_EXPR, K.UNEXPOSED_EXPR):
            inner = [kid for kid in api.kids(cursor) if kid.kind.is_expression()]
            if len(inner) == 1:
                return self.place(inner[0])
        if kind == K.DECL_REF_EXPR:
            declaration = cursor.referenced
            if declaration is None or declaration.kind not in (K.VAR_DECL, K.PARM_DECL):
                return Place()
            key = api.key_of(declaration)
            is_self = self.is_async and declaration.kind == K.PARM_DECL and declaration.spelling == "self"
            return Place(key, (), self.graph.variables.get(key), None, is_self)
        if kind == K.MEMBER_REF_EXPR:
            return self.member(cursor)
        if kind == K.ARRAY_SUBSCRIPT_EXPR:
            base, index = api.kids(cursor)
            number = api.constant(index)
            step = "[*]" if number is None else f"[{number}]"
            under = api.bare(base)
            if api.is_array(under.type):
                place = self.place(under)
                self.value(index)
                return place.part(step)
            place = self.follow(base, step)
            self.value(index)
            return place
        if kind == K.UNARY_OPERATOR and api.operator(cursor) == "*":
            operand = api.kids(cursor)[0]
            under = api.bare(operand)
            if api.is_array(under.type):
                return self.place(under).part("[0]")
            return self.follow(operand, "*")
        if kind == K.COMPOUND_LITERAL_EXPR:
            return self.literal(cursor)
        self.value(cursor)
        return Place()

    def member(self, cursor):
        inner = [kid for kid in api.kids(cursor) if kid.kind.is_expression()]
        if not inner:
            return Place()
        base, field = inner[0], cursor.spelling
        if api.is_pointer(base.type):
            return self.follow(base, field)
        place = self.place(base)
        if base.type.get_canonical().get_declaration().kind == K.UNION_DECL:
            return place  # to write one member is to write them all
        return place.part("." + field)

    def follow(self, pointer, step):
        """The Place that a pointer expression points to."""
        under = api.bare(pointer)
        if under.kind == K.UNARY_OPERATOR and api.operator(under) == "&":
            place = self.place(api.kids(under)[0])
            return place if step == "*" else place.part("." + step)
        sources = self.value(pointer)
        for source in sources:
            if source.kind == "copy":
                return source.place.target(step)
            if source.kind == "address" and source.place.variable:
                return Place(pointer=None, root=source.place.root, path=source.place.path + ("[*]",),
                             variable=source.place.variable)
        return Place()

    def literal(self, cursor):
        """A compound literal is a local without a name."""
        key = ("literal", api.statement_key(cursor))
        if key not in self.graph.variables:
            self.graph.variables[key] = Variable(cursor, "", cursor.type)
        place = Place(key, (), self.graph.variables[key])
        sources = []
        for kid in api.kids(cursor):
            if kid.kind.is_expression():
                sources += self.value(kid)
        self.graph.add("declare", variable=key)
        self.graph.add("assign", place=place, sources=sources, cursor=cursor, made=False)
        return place

    def compound_literal(self, cursor):
        place = self.literal(cursor)
        return [Source("address" if api.is_array(cursor.type) else "copy", place, cursor)]

    # ---- operators

    def unary(self, cursor):
        operand = api.kids(cursor)[0]
        operator = api.operator(cursor)
        if operator == "*":
            return self.read(cursor)
        if operator == "&":
            return [Source("address", self.place(operand), cursor)]
        if operator.endswith("++") or operator.endswith("--"):
            return self.update(operand, [])
        sources = self.value(operand)
        return [] if operator == "!" else sources

    def update(self, target, sources):
        """Read, change and store."""
        place = self.place(target)
        self.graph.add("use", place=place, cursor=target)
        sources = sources + [Source("copy", place, target)]
        self.graph.add("assign", place=place, sources=sources, cursor=target, made=False)
        return sources

    def binary(self, cursor):
        left, right = api.kids(cursor)[:2]
        operator = api.operator(cursor)
        if operator == "=":
            return self.assign(left, right)
        if operator in ("&&", "||"):
            self.short_circuit(cursor)
            return []
        first = self.value(left)
        second = self.value(right)
        if operator == ",":
            return second
        if operator in ("<", ">", "<=", ">=", "==", "!=") or (api.is_pointer(left.type) and api.is_pointer(right.type)):
            return []
        return first + second

    def compound_assignment(self, cursor):
        left, right = api.kids(cursor)[:2]
        return self.update(left, self.value(right))

    def assign(self, left, right):
        self.spender = "move"
        sources = self.value(right)
        place = self.place(left)
        self.store(place, sources, left, right)
        return sources

    def store(self, place, sources, cursor, value):
        made = api.is_awaitable(cursor.type) and api.bare(value).kind == K.CALL_EXPR
        self.graph.add("assign", place=place, sources=sources, cursor=cursor, made=made,
                       number=stored_value(cursor.type, value))

    def short_circuit(self, cursor):
        """&& and || as a value."""
        after = self.node()
        self.condition(cursor, after, after)
        self.graph.start(after)

    def conditional(self, cursor):
        inner = [kid for kid in api.kids(cursor) if kid.kind.is_expression()]
        if len(inner) != 3:
            return [source for kid in inner for source in self.value(kid)]
        yes, no, after = self.node(), self.node(), self.node()
        self.condition(inner[0], yes, no)
        self.graph.start(yes)
        sources = self.value(inner[1])
        self.graph.go(after)
        self.graph.start(no)
        sources = sources + self.value(inner[2])
        self.graph.go(after)
        self.graph.start(after)
        return sources

    def cast(self, cursor):
        inner = [kid for kid in api.kids(cursor) if kid.kind.is_expression()]
        if not inner:
            return []
        under = api.bare(inner[-1])
        if cursor.type.get_canonical().kind == TypeKind.VOID:
            if api.is_awaitable(under.type) and under.kind == K.CALL_EXPR:
                self.dropped(under)
            if under.kind == K.DECL_REF_EXPR:
                return []  # only tells the compiler that the variable is known to be there
            self.spender = "move"
        return self.value(inner[-1])

    def generic_selection(self, cursor):
        """The controlling expression is not evaluated; of the others, only one is."""
        sources = []
        for kid in api.kids(cursor)[1:]:
            if kid.kind.is_expression():
                sources += self.value(kid)
        return sources

    # ---- calls

    def call(self, cursor):
        name = api.callee(cursor)
        if name.startswith("thrum_checking_"):
            return self.marker(cursor, name)
        kids = api.kids(cursor)
        arguments = list(cursor.get_arguments())
        for kid in kids[: len(kids) - len(arguments)]:
            if kid.kind.is_expression():
                self.value(kid)
        parameters = self.parameters(kids[0] if kids else None)
        makes = api.is_awaitable(cursor.type)
        returns_struct = cursor.type.get_canonical().kind == TypeKind.RECORD and api.may_carry(cursor.type)
        carried = []
        for number, argument in enumerate(arguments):
            parameter = parameters[number] if number < len(parameters) else None
            sources = self.argument(argument, parameter, name, makes)
            if makes or returns_struct or number == 0 and name in INTO_FIRST:
                carried += sources
        if name in CANCEL and arguments:
            place = self.quiet_place(arguments[0])
            if place.root is not None:
                self.canceled_here.add((place.root, place.path))
        if name in UNCANCEL:
            self.graph.add("settle")
        if name in NEVER_RETURN or self.is_noreturn(cursor):
            self.graph.start(self.node())
        if makes and self.is_async and carried:
            self.graph.add("hand", sources=carried, await_=self.awaiting, callee=name)
            return []
        return carried

    def argument(self, argument, parameter, name, makes):
        """Evaluate one argument: through a pointer to const the function reads, through any other it writes."""
        if parameter is not None and parameter.kind in (TypeKind.LVALUEREFERENCE, TypeKind.RVALUEREFERENCE):
            if parameter.get_pointee().is_const_qualified():
                return self.value(argument)
            place = self.place(argument)
            self.graph.add("assign", place=place, sources=[], cursor=argument, made=False)
            return [Source("address", place, argument)]
        spender = self.spender
        self.spender = "spend" if makes or name.startswith("thrum_") else "move"
        sources = self.value(argument)
        self.spender = spender
        if not sources:
            return []
        if parameter is None:
            constant = "scanf" not in name  # printf and its like read what they are given
        elif api.is_pointer(parameter):
            constant = parameter.get_canonical().get_pointee().is_const_qualified()
        else:
            return sources
        self.graph.add("give", sources=sources, constant=constant, cursor=argument)
        if name.startswith("thrum_") and (COPIED.fullmatch(pointee_name(parameter)) or parameter is not None and
                                          parameter.get_canonical().spelling == STRINGS):
            # Options and lists of awaitables are copied; what they point to is not.
            return [Source("copy", source.place, source.cursor, True) for source in sources]
        return sources

    @staticmethod
    def parameters(function):
        """Types of the declared parameters of what is called."""
        if function is None:
            return []
        type_ = function.type.get_canonical()
        if type_.kind == TypeKind.POINTER:
            type_ = type_.get_pointee()
        if type_.kind != TypeKind.FUNCTIONPROTO:
            return []
        return list(type_.argument_types())

    def is_noreturn(self, call):
        function = call.referenced
        if function is None:
            return False
        key = api.key_of(function)
        if key not in self.noreturn:
            self.noreturn[key] = "noreturn" in function.type.spelling or (
                any(kid.kind == K.UNEXPOSED_ATTR for kid in function.get_children())
                and any("noreturn" in token.spelling.lower() for token in function.get_tokens()))
        return self.noreturn[key]

    # ---- declarations

    def declaration(self, cursor):
        """A variable inside a function."""
        if cursor.kind != K.VAR_DECL or cursor.storage_class in (StorageClass.STATIC, StorageClass.EXTERN):
            return
        if api.is_thread_local(cursor):
            return
        key = api.key_of(cursor)
        variable = self.graph.variables.setdefault(
            key, Variable(cursor, cursor.spelling, cursor.type, self.is_async and not self.graph.before_begin))
        start = api.initializer(cursor)
        if cursor.type.get_canonical().kind == TypeKind.VARIABLEARRAY:
            for kid in api.kids(cursor):
                if kid.kind.is_expression() and (start is None or kid != start):
                    self.value(kid)
        sources = []
        if start is not None:
            self.spender = "move"
            sources = self.value(start)
        self.graph.add("declare", variable=key)
        if start is not None:
            self.store(Place(key, (), variable), sources, cursor, start)

    HANDLERS = {
        K.DECL_REF_EXPR: read,
        K.MEMBER_REF_EXPR: read,
        K.ARRAY_SUBSCRIPT_EXPR: read,
        K.UNARY_OPERATOR: unary,
        K.BINARY_OPERATOR: binary,
        K.COMPOUND_ASSIGNMENT_OPERATOR: compound_assignment,
        K.CONDITIONAL_OPERATOR: conditional,
        K.CSTYLE_CAST_EXPR: cast,
        K.CXX_FUNCTIONAL_CAST_EXPR: cast,
        K.CXX_STATIC_CAST_EXPR: cast,
        K.CALL_EXPR: call,
        K.COMPOUND_LITERAL_EXPR: compound_literal,
        K.GENERIC_SELECTION_EXPR: generic_selection,
    }
