using System.ComponentModel;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Marl.Native.Bench.House;
using Marl.Native.Tests.References;

namespace Marl.Native.Tests
{
    /// <summary>What compiled code refers to: every kind of reference is found, and where it is.</summary>
    public sealed class ReferenceWalkerTests
    {
        [Fact]
        public void FindsEveryKindOfReference()
        {
            const string space = "Marl.Native.Tests.References.";
            var found = new SortedSet<string>(StringComparer.Ordinal);
            using var image = new PEReader(File.OpenRead(typeof(ReferenceWalkerTests).Assembly.Location));
            new ReferenceWalker(image, image.GetMetadataReader(), (from, to, member) =>
            {
                if (from == space + "User`1" && to.StartsWith(space, StringComparison.Ordinal) && to != from)
                {
                    found.Add($"{to[space.Length..]}: {member}");
                }
            }).Walk();
            Assert.Equal(
            [
                "Argument`1: base type", "Argument`1: constructor", "Attributed: attribute", "Base`1: base type", "Base`1: constructor",
                "Base`1: type parameter", "Called: method Calls", "Caught: method Calls", "Constraint: type parameter", "Element: method Iterates",
                "Event: event Happened", "Event: field Happened", "Event: method Calls", "Field: field field", "Field: method Calls",
                "IContract: interface", "InClosure: method Closes", "Instantiated: method Calls", "Mode: method Calls", "Outer: method Calls",
                "Parameter: method Takes", "Property: property Automatic", "Property: property Computed", "Returned: method Takes",
            ], found);
        }
    }
}

namespace Marl.Native.Tests.References
{
    internal class Base<T>;

    internal sealed class Argument<T>;

    internal interface IContract;

    internal sealed class Constraint;

    internal sealed class Attributed;

    internal sealed class Field;

    internal sealed class Property;

    internal sealed class Parameter;

    internal sealed class Returned;

    internal delegate void Event();

    internal sealed class Element;

    internal sealed class InClosure;

    internal sealed class Instantiated;

    internal sealed class Caught : Exception;

    internal enum Mode
    {
        One = 1,
    }

    internal static class Outer
    {
        internal sealed class Nested;
    }

    internal static class Called
    {
        public static void Static(Mode mode, object? value = null) => GC.KeepAlive((mode, value));

        public static void Generic<T>() => GC.KeepAlive(typeof(T));
    }

    [TypeConverter(typeof(Attributed))]
    internal class User<T> : Base<Argument<int>[]>, IContract where T : Base<Constraint>
    {
        private readonly Field field = null!;

        public event Event? Happened;

        public Property? Automatic { get; set; }

        public object? Computed => (Property?)null ?? new Property();

        public Returned? Takes(ref Parameter[] parameters) => null;

        public void Calls()
        {
            try
            {
                Called.Static(Mode.One, new Outer.Nested());
            }
            catch (Caught)
            {
                Called.Generic<Instantiated>();
            }
            Happened?.Invoke();
            GC.KeepAlive(field);
        }

        public Func<object> Closes(int number) => () => number > 0 ? new InClosure() : this;

        public IEnumerable<object> Iterates()
        {
            yield return new Element();
        }
    }
}
