//! The values of a database, and their conversion from and to the types of this program.

/// A value that is borrowed: from a row that is read, or from the caller that binds it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'v> {
    Null,
    Integer(i64),
    Real(f64),
    /// A text, which in a damaged file need not be UTF-8.
    Text(&'v [u8]),
    Blob(&'v [u8]),
}

/// A value of its own, for conditions that are built one after the other.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Integer(i64),
    Text(String),
    Blob(Vec<u8>),
}

impl Value {
    /// Returns the values for a statement.
    pub fn borrowed(values: &[Self]) -> Vec<ValueRef<'_>> {
        values.iter().map(ToValue::to_value).collect()
    }
}

impl<'v> ValueRef<'v> {
    /// Returns the value for a text.
    pub const fn of_text(text: &'v str) -> Self {
        Self::Text(text.as_bytes())
    }

    /// Returns a text; `None` for a value of another type, and for bytes that are not UTF-8.
    pub fn as_str(self) -> Option<&'v str> {
        match self {
            Self::Text(text) => std::str::from_utf8(text).ok(),
            _ => None,
        }
    }

    /// Returns bytes; `None` for a value of another type.
    pub const fn as_blob(self) -> Option<&'v [u8]> {
        match self {
            Self::Blob(blob) => Some(blob),
            _ => None,
        }
    }
}

/// A type that a column can be read as.
pub trait FromValue: Sized {
    /// Converts a value; `None` when this type does not have it.
    fn from_value(value: ValueRef<'_>) -> Option<Self>;
}

impl FromValue for i64 {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Integer(number) => Some(number),
            _ => None,
        }
    }
}

impl FromValue for u32 {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl FromValue for u8 {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

/// Every number but 0 is true.
impl FromValue for bool {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        i64::from_value(value).map(|number| number != 0)
    }
}

impl FromValue for String {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        value.as_str().map(str::to_owned)
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        value.as_blob().map(<[u8]>::to_vec)
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        value.as_blob()?.try_into().ok()
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Null => Some(None),
            value => T::from_value(value).map(Some),
        }
    }
}

/// A type that can be bound to a statement.
pub trait ToValue {
    /// Borrows the value.
    fn to_value(&self) -> ValueRef<'_>;
}

impl ToValue for i64 {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Integer(*self)
    }
}

impl ToValue for u32 {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Integer((*self).into())
    }
}

impl ToValue for u8 {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Integer((*self).into())
    }
}

impl ToValue for bool {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Integer((*self).into())
    }
}

impl ToValue for str {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::of_text(self)
    }
}

impl ToValue for String {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::of_text(self)
    }
}

impl ToValue for [u8] {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Blob(self)
    }
}

impl ToValue for Vec<u8> {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Blob(self)
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> ValueRef<'_> {
        ValueRef::Blob(self)
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> ValueRef<'_> {
        self.as_ref().map_or(ValueRef::Null, ToValue::to_value)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> ValueRef<'_> {
        (**self).to_value()
    }
}

impl ToValue for Value {
    fn to_value(&self) -> ValueRef<'_> {
        match self {
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::of_text(text),
            Self::Blob(blob) => ValueRef::Blob(blob),
        }
    }
}

/// Borrows values of several types for one statement: `values![name, id]`.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::index::database::ToValue::to_value(&$value)),*]
    };
}
pub(in crate::store::index) use values;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_read_as_the_type_that_was_bound_and_as_no_other() {
        assert_eq!(
            values![7_i64, Some("a"), None::<i64>, [1_u8, 2]],
            &[ValueRef::Integer(7), ValueRef::Text(b"a"), ValueRef::Null, ValueRef::Blob(&[1, 2]),]
        );
        assert_eq!(i64::from_value(ValueRef::Text(b"7")), None);
        assert_eq!(u8::from_value(ValueRef::Integer(256)), None);
        assert_eq!(u32::from_value(ValueRef::Integer(-1)), None);
        assert_eq!(String::from_value(ValueRef::Text(b"\xff")), None, "it is not UTF-8");
        assert_eq!(String::from_value(ValueRef::Blob(b"a")), None);
        assert_eq!(<[u8; 2]>::from_value(ValueRef::Blob(&[1])), None);
        assert_eq!(Vec::<u8>::from_value(ValueRef::Text(b"a")), None);
        assert_eq!(Option::<i64>::from_value(ValueRef::Null), Some(None));
        assert_eq!(i64::from_value(ValueRef::Null), None);
        assert_eq!(bool::from_value(ValueRef::Integer(2)), Some(true));
    }
}
