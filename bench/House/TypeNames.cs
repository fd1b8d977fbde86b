using System.Collections.Immutable;
using System.Reflection.Metadata;
using System.Text.RegularExpressions;

namespace Marl.Native.Bench.House;

/// <summary>Reports the full name of every type in a signature or an attribute's arguments; nested types by the one that they are nested in.</summary>
internal sealed partial class TypeNames(Action<string> found) : ISignatureTypeProvider<string, object?>, ICustomAttributeTypeProvider<string>
{
    /// <summary>A full name of its parts.</summary>
    public static string Join(string space, string name) => space.Length > 0 ? $"{space}.{name}" : name;

    public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        => Found(DependencyGraph.FullName(reader, handle));

    public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
    {
        var type = reader.GetTypeReference(handle);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? GetTypeFromReference(reader, (TypeReferenceHandle)type.ResolutionScope, rawTypeKind)
            : Found(Join(reader.GetString(type.Namespace), reader.GetString(type.Name)));
    }

    public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind)
        => reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);

    // Of "A.B`1[[C.D+E, An.Assembly, Version=1.0.0.0]], Another" the names of types and, without harm, of assemblies.
    public string GetTypeFromSerializedName(string name)
    {
        foreach (var match in FullNames().EnumerateMatches(name))
        {
            found(name.Substring(match.Index, match.Length));
        }

        return name;
    }

    public bool IsSystemType(string type) => type == "System.Type";

    public string GetSystemType() => "System.Type";

    // It is asked for enums as arguments of attributes, which are of four bytes here.
    public PrimitiveTypeCode GetUnderlyingEnumType(string type) => PrimitiveTypeCode.Int32;

    public string GetPrimitiveType(PrimitiveTypeCode typeCode) => "";

    public string GetArrayType(string elementType, ArrayShape shape) => "";

    public string GetSZArrayType(string elementType) => "";

    public string GetByReferenceType(string elementType) => "";

    public string GetPointerType(string elementType) => "";

    public string GetPinnedType(string elementType) => "";

    public string GetFunctionPointerType(MethodSignature<string> signature) => "";

    public string GetGenericInstantiation(string genericType, ImmutableArray<string> typeArguments) => "";

    public string GetGenericMethodParameter(object? genericContext, int index) => "";

    public string GetGenericTypeParameter(object? genericContext, int index) => "";

    public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => "";

    private string Found(string name)
    {
        found(name);
        return name;
    }

    [GeneratedRegex(@"[\w.`]+")]
    private static partial Regex FullNames();
}
