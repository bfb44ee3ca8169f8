use machine::expr::Expr;
use machine::value::Type;
use crate::diagnostic::Diagnostics;
use crate::document::Node;
use crate::expr::Names;
pub(super) fn wanted(_node: &Node, _want: Type, _names: &mut dyn Names, _diagnostics: &mut Diagnostics) -> Option<Expr> { None }
pub(super) fn any(_node: &Node, _names: &mut dyn Names, _diagnostics: &mut Diagnostics) -> Option<(Type, Expr)> { None }
