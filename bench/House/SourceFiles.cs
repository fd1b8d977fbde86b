using System.Reflection.Metadata;

namespace Marl.Native.Bench.House;

/// <summary>The source files of types by a portable PDB: of their methods' statements and, where there are none, of their declarations.</summary>
internal sealed class SourceFiles(MetadataReader code, MetadataReader symbols)
{
    // "Type definition documents" in the format of portable PDBs.
    private static readonly Guid TypeDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");

    /// <summary>The paths of the files that declare a type, as the compiler saw them; generated ones among them.</summary>
    public IEnumerable<string> Of(TypeDefinitionHandle type)
        => code.GetTypeDefinition(type).GetMethods().SelectMany(OfMethod).Concat(OfDeclaration(type)).Distinct()
            .Select(document => symbols.GetString(symbols.GetDocument(document).Name));

    private IEnumerable<DocumentHandle> OfMethod(MethodDefinitionHandle method)
    {
        var debug = symbols.GetMethodDebugInformation(method);
        return debug.Document.IsNil ? debug.GetSequencePoints().Select(point => point.Document) : [debug.Document];
    }

    private List<DocumentHandle> OfDeclaration(TypeDefinitionHandle type)
    {
        var documents = new List<DocumentHandle>();
        foreach (var handle in symbols.GetCustomDebugInformation(type))
        {
            var information = symbols.GetCustomDebugInformation(handle);
            if (symbols.GetGuid(information.Kind) == TypeDocuments)
            {
                for (var blob = symbols.GetBlobReader(information.Value); blob.RemainingBytes > 0;)
                {
                    documents.Add(System.Reflection.Metadata.Ecma335.MetadataTokens.DocumentHandle(blob.ReadCompressedInteger()));
                }
            }
        }
        return documents;
    }
}
